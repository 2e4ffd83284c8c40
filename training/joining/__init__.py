"""Research: one outline from two sources, the network and the edges (README.md). No part of the product."""
