"""What the Compare view is made of: bars, the 2006 figure, gauges, and what saves them."""
