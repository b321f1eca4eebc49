"""The controller: commands in, steering, trajectory and feedback, poses out."""
