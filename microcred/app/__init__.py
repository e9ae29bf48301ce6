"""Factory, settings, command line, worker and wiring: the only place that knows everyone."""
