// SPDX-License-Identifier: Apache-2.0
// Written by `python reference/pasa/formats.py`. Do not edit.
4'd0: entry = 15'h4000;
4'd1: entry = 15'h3d49;
4'd2: entry = 15'h3ab0;
4'd3: entry = 15'h3833;
4'd4: entry = 15'h35d1;
4'd5: entry = 15'h3389;
4'd6: entry = 15'h315a;
4'd7: entry = 15'h2f42;
4'd8: entry = 15'h2d41;
4'd9: entry = 15'h2b56;
4'd10: entry = 15'h2980;
4'd11: entry = 15'h27bd;
4'd12: entry = 15'h260e;
4'd13: entry = 15'h2471;
4'd14: entry = 15'h22e5;
4'd15: entry = 15'h216b;
