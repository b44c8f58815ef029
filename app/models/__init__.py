"""What the views show, as Qt models without colours or widgets: the trap log, the registers, the code."""
