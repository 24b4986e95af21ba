/*
 * version.h - what this program calls itself.
 */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define TUS_FCGI_VERSION "1.0.0"

#endif
