"""Small parts that views share: the rings picture, the sentence bar, the empty state."""
