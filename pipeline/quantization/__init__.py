"""Full-integer quantization: which range of real numbers each tie gets, and what that costs."""
