# Slipway's image: what `slipway serve` needs and nothing else. 147 MB of Python packages on the slim
# base (without byte code: that would be 89 MB more for 2 s at the start); no compiler, no package manager's cache, no embedded PostgreSQL (name one instead).
ARG PYTHON=3.13-slim

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
RUN python -m venv --without-pip /slipway
COPY .ci/runtime.txt .ci/build.txt .ci/
RUN pip --python /slipway/bin/python install --no-compile --require-hashes --requirement .ci/runtime.txt \
 && pip install --require-hashes --requirement .ci/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY policies policies
COPY gitops-repo-template gitops-repo-template
COPY bot bot
RUN python -m hatchling build --target wheel --directory /tmp/wheel \
 && pip --python /slipway/bin/python install --no-compile --no-deps --no-index /tmp/wheel/*.whl

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="Slipway" \
      org.opencontainers.image.description="Models to production, and back, through pull requests" \
      org.opencontainers.image.licenses="Apache-2.0"
# The only place that is written to is /tmp (mount an empty directory): the root can be read-only.
ENV PATH=/slipway/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    SLIPWAY_HOST=0.0.0.0 \
    SLIPWAY_PORT=8080
COPY --from=build /slipway /slipway
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["slipway"]
CMD ["serve"]
