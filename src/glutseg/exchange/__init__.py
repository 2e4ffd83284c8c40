"""Results in other programs' formats, and other programs' outlines measured here."""
