"""Training: from a city's records and what is true of them to a model, its judgement and its card."""
