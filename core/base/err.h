/* Errors of the whole project: one enum, negative; 0 is success.
 *
 * A function that can fail returns 0 (or a count >= 0) or a negative
 * enum wipy_err. The sentence for the user is wipy_strerror(). */
#ifndef WIPY_BASE_ERR_H
#define WIPY_BASE_ERR_H

enum wipy_err {
    WIPY_OK = 0,
    WIPY_EIO = -1,        /* the device failed */
    WIPY_EINVAL = -2,     /* an argument is out of its range */
    WIPY_ENOENT = -3,     /* no such thing */
    WIPY_EEXIST = -4,     /* it exists already */
    WIPY_ENOSPC = -5,     /* no room left */
    WIPY_ENOMEM = -6,     /* the buffer given is too small */
    WIPY_EBUSY = -7,      /* in use by somebody else */
    WIPY_ELOCKED = -8,    /* the flash range is locked until reset */
    WIPY_ECORRUPT = -9,   /* stored data fails its check */
    WIPY_EFORMAT = -10,   /* not the format expected */
    WIPY_ERANGE = -11,    /* past the end of its container */
    WIPY_EMACHINE = -12,  /* code of another machine */
    WIPY_ESIGN = -13,     /* signature missing or wrong */
    WIPY_ETIMEOUT = -14,  /* the peer did not answer in time */
    WIPY_ECLOSED = -15,   /* the peer is gone */
    WIPY_EPROTO = -16,    /* the peer broke the protocol */
    WIPY_EPERM = -17,     /* not allowed in this state */
    WIPY_ENOTSUP = -18,   /* not offered */
    WIPY_ECANCELED = -19, /* the user stopped it */
};

/* One short English sentence without a full stop, never NULL. */
const char *wipy_strerror(int err);

#endif
