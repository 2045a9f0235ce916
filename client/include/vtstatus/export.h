/* SPDX-License-Identifier: Apache-2.0 */
/* Marks what the library exports; everything else in it is hidden. */
#ifndef VTSTATUS_EXPORT_H
#define VTSTATUS_EXPORT_H

#if defined(__GNUC__)
#define VTS_API __attribute__((visibility("default")))
#else
#define VTS_API
#endif

#endif
