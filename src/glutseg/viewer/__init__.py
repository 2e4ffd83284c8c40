"""The napari plugin: check, correct, decide. Qt and napari are loaded by its widgets only."""
