"""The service one would write in an afternoon: POST /v1/perturb?format=… with a JPEG body, both views in one reply,
or with ?recipe=cppo-removing that one."""

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from pillow_views import removing_view, views

app = FastAPI()


@app.get("/readyz")
def ready():
    return {"status": "ready"}


@app.post("/v1/perturb")
async def perturb(request: Request, format: str = "png", recipe: str | None = None):
    body = await request.body()
    if recipe == "cppo-removing":
        return Response(await run_in_threadpool(removing_view, body, format), media_type=f"image/{format}")
    preserving, removing = await run_in_threadpool(views, body, format)
    return Response(preserving + removing, headers={"Preserving-Length": str(len(preserving))})
