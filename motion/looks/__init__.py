"""What is seen of a clip: proxy bodies, skinning, sheets and animations."""
