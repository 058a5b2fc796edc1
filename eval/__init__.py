"""The judge: checks the answers of the engine against a gold set of facts."""
