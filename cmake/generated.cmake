# protobuf-c's output, built without our warnings; scripts/generate.sh owns the folder.
add_library(vts_generated STATIC
  generated/descriptor_set.c
  generated/google/protobuf/any.pb-c.c
  generated/google/protobuf/descriptor.pb-c.c
  generated/google/protobuf/duration.pb-c.c
  generated/google/protobuf/empty.pb-c.c
  generated/google/protobuf/field_mask.pb-c.c
  generated/google/protobuf/struct.pb-c.c
  generated/google/protobuf/timestamp.pb-c.c
  generated/google/protobuf/wrappers.pb-c.c
  generated/google/rpc/error_details.pb-c.c
  generated/google/rpc/status.pb-c.c
  generated/grpc/health/v1/health.pb-c.c
  generated/grpc/reflection/v1/reflection.pb-c.c
  generated/grpc/reflection/v1alpha/reflection.pb-c.c
  generated/vtstatus/store/v1/record.pb-c.c
  generated/vtstatus/v1/job.pb-c.c
  generated/vtstatus/v1/job_service.pb-c.c
  generated/vtstatus/v1/status.pb-c.c
  generated/vtstatus/v1/status_service.pb-c.c
  generated/vtstatus/v1/worker_service.pb-c.c)
target_include_directories(vts_generated
  SYSTEM PUBLIC ${PROJECT_SOURCE_DIR}/generated
  PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(vts_generated PUBLIC PkgConfig::PROTOBUF_C PRIVATE vts_sanitizers)
