"""Pictures: grids of images, diagrams, curves, and what a run draws of itself."""
