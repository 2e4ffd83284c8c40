"""glutseg: gluteus maximus area on pelvic CT, from a DICOM folder to a table."""
