"""For research scripts and notebooks: what `glutseg` gives at its top level. Holds no science."""
