// The settings come from the command line.
