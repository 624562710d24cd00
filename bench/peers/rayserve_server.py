"""Ray Serve with ONNX Runtime: the FastAPI app of fastapi_server.py in one replica, behind one proxy."""

import os
import threading

import ray
from ray import serve

# Ray's other processes import the app from this folder.
ray.init(
    address="local",
    num_cpus=2,
    include_dashboard=False,
    log_to_driver=False,
    logging_level="error",
    runtime_env={"env_vars": {"PYTHONPATH": os.path.dirname(os.path.abspath(__file__))}},
)


def app():
    # Imported where it runs: sessions cannot be sent to another process.
    from fastapi_server import app

    return app


@serve.deployment(num_replicas=1, max_ongoing_requests=64, ray_actor_options={"num_cpus": 1})
@serve.ingress(app)
class Models:
    pass


serve.start(
    http_options={"host": "127.0.0.1", "port": int(os.environ["PORT"]), "access_log": False},
    logging_config={"enable_access_log": False, "log_level": "ERROR"},
)
serve.run(Models.bind(), name="models", route_prefix="/")
threading.Event().wait()
