# Collapsar's image; docs/container.md tells how to build and run it. Targets:
#   cpu  inference on ONNX Runtime
#   gpu  the same with native TensorFlow and the CUDA libraries it needs
ARG BASE_IMAGE=debian:bookworm-slim

# Node.js and the production dependencies, as package-lock.json pins both. The distribution's own Node.js is too old to
# run Collapsar, and its npm 350 packages: the first serves to run npm, which then brings the right one.
FROM ${BASE_IMAGE} AS dependencies
ARG npm_config_registry=https://registry.npmjs.org
ARG NPM_VERSION=10.9.9
ENV npm_config_cache=/tmp/npm
ADD ${npm_config_registry}/npm/-/npm-${NPM_VERSION}.tgz /opt/npm.tgz
RUN apt-get update && apt-get install --yes --no-install-recommends nodejs \
    && tar --extract --gzip --file /opt/npm.tgz --directory /opt \
    && ln --symbolic /opt/package/bin/npm-cli.js /usr/local/bin/npm
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=secret,id=ca,target=/run/secrets/ca --mount=type=tmpfs,target=/tmp/npm \
    if [ -e /run/secrets/ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca; fi \
    && version=$(node --print "require('./package-lock.json').packages['node_modules/node'].version") \
    && npm install --prefix /opt/node --no-audit --no-fund "node-linux-$(node --print process.arch)@$version" \
    && install -D /opt/node/node_modules/node-linux-*/bin/node /opt/bin/node \
    && PATH=/opt/bin:$PATH npm ci --omit=dev --ignore-scripts --no-audit --no-fund
# ONNX Runtime brings the libraries of every platform; source maps and type declarations serve only developers.
RUN cd node_modules \
    && find onnxruntime-node/bin/napi-v6 -mindepth 2 -maxdepth 2 \
       ! -path "*/linux/$(/opt/bin/node --print process.arch)" -exec rm -r {} + \
    && find . -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete

# The dependencies with native TensorFlow.
FROM dependencies AS tensorflow
ARG PIP_INDEX_URL
RUN apt-get install --yes --no-install-recommends g++ python3-pip
COPY scripts scripts
COPY src src
RUN --mount=type=secret,id=ca,target=/run/secrets/ca \
    if [ -e /run/secrets/ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca PIP_CERT=/run/secrets/ca; fi \
    && PATH=/opt/bin:$PATH npm_config_omit=dev node scripts/tensorflow.ts --gpu \
    && rm -r node_modules/node-api-headers node_modules/@tensorflow/tfjs-node-gpu/deps/include

# The dashboard, made of its sources by what only a build needs.
FROM dependencies AS dashboard
COPY tsconfig.json ./
COPY src src
RUN --mount=type=secret,id=ca,target=/run/secrets/ca --mount=type=tmpfs,target=/tmp/npm \
    if [ -e /run/secrets/ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca; fi \
    && export PATH=/opt/bin:$PATH && npm ci --ignore-scripts --no-audit --no-fund \
    && node node_modules/vite/bin/vite.js build src/dashboard

FROM scratch AS program
COPY package.json /
COPY bin /bin
COPY data /data
COPY migrations /migrations
COPY presets /presets
COPY src /src
COPY --from=dashboard /app/dist /dist

# How to run it: everything but what /app holds.
FROM ${BASE_IMAGE} AS runtime
RUN useradd --uid 10001 --user-group --no-log-init --no-create-home --home-dir /data collapsar \
    && install --directory --owner=collapsar --group=collapsar /data
COPY --from=dependencies /opt/bin/node /usr/local/bin/
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 COLLAPSAR_HOME=/data
# A number, for Kubernetes' runAsNonRoot.
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "--eval", \
  "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/bin/collapsar.js"]
CMD ["serve"]

FROM runtime AS gpu
# What NVIDIA's container toolkit gives the container: the driver. CUDA and cuDNN are TensorFlow's own.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=tensorflow /app/node_modules /app/node_modules
COPY --from=program / /app/

# Last, so that it is what a build without --target makes.
FROM runtime AS cpu
COPY --from=dependencies /app/node_modules /app/node_modules
COPY --from=program / /app/
