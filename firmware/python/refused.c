/* The rest of the JavaScript side: there is none on a board. Python reaches
 * these only through the module `js` and through keywords or subscripts on
 * what `_board` gives out; each is an OSError. */
#include <errno.h>

#include "firmware/python/inside.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"

#define ENV    struct Z_env_instance_t *env
#define REFUSE mpi_mp_raise_OSError(&vm_of_env(env)->wasm, EOPNOTSUPP)

void Z_envZ_store_attr(ENV, u32 ref, u32 name, u32 value)
{
    REFUSE;
}

void Z_envZ_call0_kwarg(ENV, u32 ref, u32 via, u32 n, u32 keys, u32 args,
                        u32 out)
{
    REFUSE;
}

void Z_envZ_calln_kwarg(ENV, u32 ref, u32 via, u32 n, u32 args, u32 n_kw,
                        u32 keys, u32 values, u32 out)
{
    REFUSE;
}

void Z_envZ_js_get_iter(ENV, u32 ref, u32 out)
{
    REFUSE;
}

u32 Z_envZ_js_iter_next(ENV, u32 ref, u32 out)
{
    return 0;
}

void Z_envZ_js_reflect_construct(ENV, u32 ref, u32 n, u32 args, u32 out)
{
    REFUSE;
}

void Z_envZ_js_subscr_load(ENV, u32 ref, u32 index, u32 out)
{
    REFUSE;
}

void Z_envZ_js_subscr_store(ENV, u32 ref, u32 index, u32 value)
{
    REFUSE;
}

void Z_envZ_js_then_continue(ENV, u32 a, u32 b, u32 c, u32 d, u32 e)
{
    REFUSE;
}

void Z_envZ_js_then_reject(ENV, u32 a, u32 b)
{
    REFUSE;
}

void Z_envZ_js_then_resolve(ENV, u32 a, u32 b)
{
    REFUSE;
}

void Z_envZ_create_promise(ENV, u32 a, u32 out)
{
    REFUSE;
}

void Z_envZ_js_get_error_info(ENV, u32 ref, u32 name, u32 text)
{
    vm_set_u32(vm_of_env(env), name, MP_IN_NONE);
    vm_set_u32(vm_of_env(env), text, MP_IN_NONE);
}

void Z_envZ_js_get_proxy_js_ref_info(ENV, u32 out)
{
    vm_set_u32(vm_of_env(env), out, 0);
    vm_set_u32(vm_of_env(env), out + 4, 0);
}

void Z_envZ_proxy_convert_mp_to_js_then_js_to_mp_obj_jsside(ENV, u32 out)
{
    REFUSE;
}

void Z_envZ_proxy_convert_mp_to_js_then_js_to_js_then_js_to_mp_obj_jsside(
    ENV, u32 out)
{
    REFUSE;
}
