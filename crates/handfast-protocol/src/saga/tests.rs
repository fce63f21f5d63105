//! What the explorer cannot see: the order of steps that is refused, time that goes back, totality over every input.
