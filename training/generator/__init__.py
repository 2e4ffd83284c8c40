"""The generator: from a label map or a CT to a new training sample, in the order anatomy, tissue, scanner."""
