"""The kinds of operators that the proof knows: a module each, or one for close kin, found by its place here."""
