"""doit's side of the product: what its tasks do when they are asked, and what it prints meanwhile."""
