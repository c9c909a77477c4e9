"""Generate text and score choices with one interface over several backends."""
