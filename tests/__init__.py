"""The tests mirror the tree; contracts/ holds the rules that no single module can."""
