"""What made the weights of the gluteal network: generator, training, export, figures per left-out patient."""
