"""One module for each provider; `drivers.DRIVERS` names them all."""
