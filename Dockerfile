# Not built by a container engine yet: see "Containers" in docs/operations.md.
FROM python:3.11-slim-bookworm

# run.txt, or cluster.txt for a Dask scheduler and workers.
ARG REQUIREMENTS=run.txt

# For the embedded database, which is used without MONGODB_URI.
RUN apt-get update && apt-get install -y --no-install-recommends libcurl4 && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/tessera
COPY requirements/ requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/${REQUIREMENTS}

COPY . .
# The server may not write here, and would compile every module at each start.
RUN python -m compileall -q *.py handlers models processing
# The Dask scheduler and workers unpickle our job classes.
ENV PYTHONPATH=/opt/tessera
RUN useradd --system tessera && install -d -o tessera -m 0700 /data
USER tessera
VOLUME /data
EXPOSE 8888

HEALTHCHECK --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8888/health', timeout=5)"]
CMD ["python", "server.py", "--address=0.0.0.0", "--data_dir=/data"]
