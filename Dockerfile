# The image of `sluice`: one binary, no shell, no root.
#
#   docker build --build-arg REVISION="$(git rev-parse HEAD)" --tag sluice .
#
# BUILDER and BASE can be mirrors. BASE brings the C library, OpenSSL (TLS to Kafka), the time zones and certificates.
ARG BUILDER=docker.io/library/rust:1.95-bookworm
ARG BASE=gcr.io/distroless/cc-debian12:nonroot

FROM ${BUILDER} AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY benches benches
COPY case-api case-api
COPY cli cli
COPY engine engine
COPY lists lists
COPY rules rules
COPY simulator simulator
# Told as sluice_build_info{revision}.
ARG REVISION=unknown
ENV SLUICE_REVISION=${REVISION}
RUN cargo build --release --locked --package sluice --features sluice/full

FROM ${BASE}
COPY LICENSE /usr/share/doc/sluice/LICENSE
COPY --from=build /src/target/release/sluice /usr/local/bin/sluice
# Data lies here where nothing else is said: mount a volume that this user may write.
WORKDIR /var/lib/sluice
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/sluice"]
