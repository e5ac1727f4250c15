"""The screens: the main one, comparing, and the questions and help that open above them."""
