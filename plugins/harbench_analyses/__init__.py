"""First-party analyses, one file each."""
