"""Answers to the checks of lesson 06; shared pieces are in by_hand, hand and layer_slips."""
