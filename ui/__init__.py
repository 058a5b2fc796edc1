"""How people reach Citewell: the terminal and the page."""
