/* Rules between fields, over a decoded pod: names that must be unique, references that must lead somewhere, combinations that
 * Kubernetes forbids. Findings go to the decoder, which knows where each field was written. */
#pragma once
#include "manifest/decode.h"

void validate_metadata(struct decoder *d, struct pod *p);                       /* also fills what podd's annotations say */
void validate_object_metadata(struct decoder *d, const struct pod_metadata *m); /* of what is no pod */
void validate_spec(struct decoder *d, const struct pod *p);
void validate_ephemeral(struct decoder *d, const struct pod *p); /* added to a pod that was validated; at "spec" */
