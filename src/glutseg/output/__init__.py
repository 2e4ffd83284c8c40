"""Tables, masks, pictures and records. Import from the modules: pictures need slow libraries."""
