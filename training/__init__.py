"""What made the weights of the gluteal network: generator, training, export and figures per left-out patient."""
