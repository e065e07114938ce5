/* Every process, cgroup, mount, interface, nft element and directory of this podd's, matched to pods; what is left over is a finding. */
#pragma once
#include "base/jsonw.h"
#include "daemon/daemon.h"

/* Writes {"items":[{"kind","name","uid","finding":bool}...],"findings":N} as one value. */
void census_json(struct daemon *d, struct jsonw *w);
