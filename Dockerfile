# Diptych in a container: docker build -t diptych . && docker run -p 127.0.0.1:7860:7860 -v diptych:/data diptych
FROM python:3.11-slim

RUN useradd --uid 1000 --create-home diptych && mkdir /data && chown diptych /data
WORKDIR /app
# Before the source, so that a change of the source installs nothing again.
COPY requirements.txt requirements-mcp.txt requirements-scale.txt ./
# --build-arg REQUIREMENTS=requirements-scale.txt: with what PostgreSQL and S3 need.
ARG REQUIREMENTS=""
RUN pip install --no-cache-dir -r requirements.txt -r requirements-mcp.txt ${REQUIREMENTS:+-r $REQUIREMENTS}
COPY app.py ./
COPY arena arena
COPY playground playground
COPY providers providers
COPY storage storage
COPY ui ui
RUN python -m compileall -q .

USER diptych
ENV DIPTYCH_DATA_DIR=/data DIPTYCH_HOST=0.0.0.0 DIPTYCH_PORT=7860 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=40s \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['DIPTYCH_PORT']}/healthz\", timeout=4)"]
STOPSIGNAL SIGTERM
CMD ["python", "app.py"]
