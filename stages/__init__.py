"""One module per DVC stage: parse, load, call the library, write. No mathematics here."""
