# One image; the command says which role it plays: serve, work, migrate, sandbox, keys, doctor, …
# Runs as an ordinary user over a read-only root file system: only /data (assets) and /tmp are written.
# SIGTERM reaches the program itself and drains it: give it MOJITO_GRACE_SECONDS (20) and ten more.

FROM python:3.12-slim-bookworm AS build
COPY requirements.build.txt requirements.txt /src/
RUN python -m venv /build \
    && /build/bin/pip install --no-cache-dir --require-hashes -r /src/requirements.build.txt \
    && python -m venv /opt/mojito \
    && /opt/mojito/bin/pip install --no-cache-dir --require-hashes -r /src/requirements.txt
COPY pyproject.toml README.md LICENSE /src/
COPY cmd /src/cmd
COPY common /src/common
COPY config /src/config
COPY examples /src/examples
COPY middleware /src/middleware
COPY models /src/models
COPY routes /src/routes
COPY workers /src/workers
RUN /build/bin/pip wheel --no-index --no-deps --no-build-isolation --wheel-dir /wheels /src \
    && /opt/mojito/bin/pip install --no-index --no-deps /wheels/mojito-*.whl

FROM python:3.12-slim-bookworm
RUN groupadd --gid 10001 mojito \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin mojito \
    && install -d -o mojito -g mojito -m 0700 /data
COPY --from=build /opt/mojito /opt/mojito
ENV PATH=/opt/mojito/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MOJITO_DATA_DIR=/data \
    MOJITO_HOST=0.0.0.0 \
    MOJITO_LOG_FORMAT=json
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["mojito"]
CMD ["serve"]
