"""Training: turns a city's records and the truth about them into a model, its judgement and its card."""
