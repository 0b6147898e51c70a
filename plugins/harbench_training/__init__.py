"""Losses and augmentations that come with harbench: one file a method."""
