"""The data room: from a dataset's files to windows that a model can be trained on."""
