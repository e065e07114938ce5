#include "plan/compile.h"

void plan_image_layers(const struct image *i, struct arena *a, struct string_list *ret)
{
	*ret = (struct string_list){ .items = arena_new_array(a, const char *, i->layer_count) };
	for (size_t k = i->layer_count; k-- > 0;)
		ret->items[ret->count++] = i->layers[k];
}

void plan_image_init(struct plan_image *p, const struct image *i, struct arena *a)
{
	*p = (struct plan_image){ 0 };
	if (!i)
		return;
	p->config = i->config;
	plan_image_layers(i, a, &p->layers);
}
