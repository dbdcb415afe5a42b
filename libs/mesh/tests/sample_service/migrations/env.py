from mesh.aip import operations
from mesh.store import migrate

migrate.run_env(operations.metadata)
