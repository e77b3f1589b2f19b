"""Values that print as Docker does and show themselves in a notebook: images, containers, a build, the timeline."""
