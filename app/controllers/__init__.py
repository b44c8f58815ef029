"""What the person can do: run, choose a program, arrange the window, set its looks; a controller for each."""
