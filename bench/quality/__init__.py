"""Quality: ``make quality`` plays cities that the model was not trained on and writes docs/quality.md."""
