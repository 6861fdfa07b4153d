# An image that holds one version of one model, for the styles that pin an image: the base, and the model's folder
# as `mlflow artifacts download --artifact-uri models:/NAME/VERSION --dst-path model` brings it.
ARG BASE=registry.example.com/ml/model-server:1.0.0
FROM ${BASE}
ARG MODEL_NAME
ARG MODEL_VERSION
ENV MODEL_URI=/model MODEL_NAME=${MODEL_NAME} MODEL_VERSION=${MODEL_VERSION}
COPY model /model
