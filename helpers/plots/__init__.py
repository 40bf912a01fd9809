"""Figures: one function per figure, (result rows, ax) -> ax, one module per section."""
