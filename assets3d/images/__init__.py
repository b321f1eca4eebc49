"""Text and pictures to one picture: loading any image safely, and diffusers pipelines."""
